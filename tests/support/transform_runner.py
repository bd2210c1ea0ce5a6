"""Runs the transform on raw example files, without a pipeline."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthetic_examples import raw_schema


def transform_examples(
    directory: Path, raw: Mapping[str, Sequence[str]], config: Mapping[str, Any] | None = None, schema: Any = None
) -> tuple[str, dict[str, list[str]]]:
    """Analyses the train split and transforms every split.

    Args:
      directory: Where `transform_graph` and `transformed/Split-*` go.
      raw: Split name -> gzip TFRecord files of raw examples.
      config: `custom_config` of the preprocessing function.
      schema: Schema of the raw examples; by default that of `RAW_FEATURES`.

    Returns:
      Path of the transform graph, and split name -> transformed files.
    """
    import apache_beam as beam
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import metadata_io
    from tensorflow_transform.tf_metadata.dataset_metadata import DatasetMetadata
    from tfx_bsl.public.tfxio import TFExampleRecord

    from components.transform import preprocessing_fn

    schema = schema or raw_schema()
    graph, outputs = str(directory / "transform_graph"), {}
    with beam.Pipeline("FnApiRunner") as root, tft_beam.Context(temp_dir=tempfile.mkdtemp(dir=directory)):
        sources = {}
        for split, paths in raw.items():
            files = TFExampleRecord(list(paths), schema=schema, telemetry_descriptors=["test"])
            sources[split] = root | f"Read{split}" >> files.BeamSource(), files.TensorAdapterConfig()
        prepare = functools.partial(preprocessing_fn, custom_config=config)
        function = sources["train"] | tft_beam.AnalyzeDataset(prepare)
        _ = function | tft_beam.WriteTransformFn(graph)
        metadata_io.write_metadata(DatasetMetadata(schema), f"{graph}/metadata")
        for split, source in sources.items():
            transformed = (source, function) | f"Transform{split}" >> tft_beam.TransformDataset(
                output_record_batches=True
            )
            prefix = str(directory / "transformed" / f"Split-{split}" / "data")
            outputs[split] = [f"{prefix}-00000-of-00001.gz"]
            _write(transformed, split, prefix)
    return graph, outputs


def _write(transformed: Any, split: str, prefix: str) -> None:
    import apache_beam as beam
    from tfx_bsl.public.tfxio import RecordBatchToExamplesEncoder

    rows, metadata = transformed
    encoder = RecordBatchToExamplesEncoder(metadata.schema)
    _ = (
        rows
        | f"Encode{split}" >> beam.FlatMapTuple(lambda batch, _: encoder.encode(batch))
        | f"Write{split}" >> beam.io.WriteToTFRecord(prefix, file_name_suffix=".gz", num_shards=1)
    )
