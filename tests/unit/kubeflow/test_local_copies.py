import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kubeflow.local_copies import LocalCopies, find_root, is_remote, map_texts

PLACES = [
    ("minio://bucket/a/b", "/minio/bucket/a/b"),
    ("s3://bucket/a", "/s3/bucket/a"),
    ("gs://bucket/a", "/gcs/bucket/a"),
]


@pytest.mark.parametrize(("remote", "local"), PLACES)
@pytest.mark.parametrize("root", ["", "/tmp/pod.1"])
def test_addresses_and_paths_of_each_store(remote: str, local: str, root: str) -> None:
    copies = LocalCopies(root)
    assert copies.to_local(remote) == root + local
    assert copies.to_remote(root + local) == remote


def test_every_address_in_a_text_is_translated() -> None:
    text = '{"uri": "minio://b/x", "files": ["gs://c/y"]}'
    local = '{"uri": "/minio/b/x", "files": ["/gcs/c/y"]}'
    assert LocalCopies().to_local(text) == local
    assert LocalCopies().to_remote(local) == text


@pytest.mark.parametrize(
    "text", ["/data/minio/b", "https://minio/b", "../minio/b", "gcs/b", "/miniature/b", "file:///gcs/b"]
)
def test_what_only_looks_like_a_copy_stays(text: str) -> None:
    assert LocalCopies().to_remote(text) == text


@given(st.sampled_from([remote for remote, _ in PLACES]), st.from_regex(r"[a-z0-9/_.-]{0,20}", fullmatch=True))
def test_there_and_back(remote: str, rest: str) -> None:
    copies = LocalCopies("/tmp/pod")
    assert copies.to_remote(copies.to_local(remote + rest)) == remote + rest


@pytest.mark.parametrize(
    ("output_file", "root"),
    [
        ("/minio/bucket/run/Trainer/1/output_metadata.json", ""),
        ("/gcs/bucket/output_metadata.json", ""),
        ("/tmp/kfp_outputs/output_metadata.json", ""),
        ("/tmp/kfp/output_metadata.json", ""),
        ("/x/pod/minio/bucket/minio/output_metadata.json", "/x/pod"),
        ("/x/pod/tmp/kfp_outputs/output_metadata.json", "/x/pod"),
        ("/elsewhere/output.json", ""),
    ],
)
def test_the_launchers_folders_are_found_from_its_output_file(output_file: str, root: str) -> None:
    assert find_root(output_file) == root


def test_texts_are_changed_wherever_they_are() -> None:
    values = {"a": ["x", 1, None], "b": {"c": "y"}}
    assert map_texts(values, str.upper) == {"a": ["X", 1, None], "b": {"c": "Y"}}


def test_only_object_stores_are_remote() -> None:
    assert [is_remote(uri) for uri in ("gs://b/k", "minio://b", "/mnt/models/1", "", "https://b")] == [
        True,
        True,
        False,
        False,
        False,
    ]
