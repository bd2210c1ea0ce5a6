"""Where a workspace's metadata store is. Apart from TFX, whose import would load TensorFlow."""

from pathlib import Path

from ml_metadata.proto import metadata_store_pb2 as mlmd


def metadata_config(workspace: Path) -> mlmd.ConnectionConfig:
    """Returns the connection to the workspace's metadata store, which is made on first use."""
    source = mlmd.SqliteMetadataSourceConfig(
        filename_uri=str(workspace / "metadata.sqlite"),
        connection_mode=mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE,
    )
    return mlmd.ConnectionConfig(sqlite=source)
