"""The core: pure functions and models on Arrow, NumPy and TensorFlow; no orchestrator."""
