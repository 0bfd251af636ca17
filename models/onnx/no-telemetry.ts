/**
 * ONNX Runtime 1.30 keeps a database of its use in the home directory of whoever runs it, and sends it to its makers.
 * This stands before its import. In a worker it reaches the library only if the worker shares its process's environment.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
