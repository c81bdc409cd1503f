"""Words to calls, results to stdout."""
