//! Drives the shim and the CLI from outside.
