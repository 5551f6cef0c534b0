"""Training runs and data sets as the app sees them: folders to read and processes to signal, without TensorFlow."""
