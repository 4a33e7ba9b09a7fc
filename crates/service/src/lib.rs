//! What every process needs: configuration, telemetry, adapters from URLs, health, shutdown.
