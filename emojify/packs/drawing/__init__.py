"""Code that draws faces: the numbers of an expression become SVG, and the SVG becomes pixels."""
