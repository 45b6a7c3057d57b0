"""The grids: Flask-AppBuilder behind one safe base view, generated from definitions."""
