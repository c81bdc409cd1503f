"""Local pages: a server on this machine alone, for one person. starlette + uvicorn."""
