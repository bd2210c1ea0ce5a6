"""The pipeline on open-source Kubeflow Pipelines: what is compiled, and what runs in its containers.

    graph.create_pipeline -> TFX's compiler -> repairs -> parameters -> resources -> two YAML documents
                                                                            |
    entrypoint, in every container  <----------  launcher  <---------- the backend

docs/kubeflow.md tells how to get from an empty cluster to a model.
"""
