"""The interface for other systems: every grid, read only, as JSON. Its columns, rows and doors are those of the grids."""
