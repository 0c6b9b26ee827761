"""What the maintainers of the course run; neither the package nor a notebook imports it."""
