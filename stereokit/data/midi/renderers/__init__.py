"""What turns a performance into sound; one module a renderer."""
