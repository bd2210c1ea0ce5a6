"""ImportSchemaGen that also finds the schema inside an installed package, as a container image has it."""

from typing import Any

from tfx import types
from tfx.components.schema_gen.import_schema_gen import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.types import standard_component_specs

from interest_migration.sources.paths import PACKAGE_PREFIX, package_folder

_SCHEMA_FILE = standard_component_specs.SCHEMA_FILE_KEY


def locate_schema(name: str) -> str:
    """Returns the path of a schema: a path as it is, or that of `package:schemas/schema.pbtxt#digest`."""
    if not name.startswith(PACKAGE_PREFIX):
        return name
    return str(package_folder(name.partition("#")[0]))


class SchemaExecutor(executor.Executor):
    """The stock executor on the schema's place on this machine."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Copies the schema."""
        place = {_SCHEMA_FILE: locate_schema(exec_properties[_SCHEMA_FILE])}
        super().Do(input_dict, output_dict, {**exec_properties, **place})


class ImportSchemaGen(component.ImportSchemaGen):
    """`tfx.components.ImportSchemaGen` that also takes `package:schemas/schema.pbtxt#digest`."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(SchemaExecutor)
