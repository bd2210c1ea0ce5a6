"""A local server that speaks TensorFlow Serving's two protocols, for development and CI.

    gRPC (grpc.aio) --.                                      .-- BatchScheduler -- worker threads -- SavedModel
                       >-- ServerState: choose a version --<
    REST (aiohttp)  --'                                      '-- Watcher: folders and `models.config` -> versions

Everything but the models' own work happens on one asyncio loop, so that choosing, switching and counting need no locks.
"""
