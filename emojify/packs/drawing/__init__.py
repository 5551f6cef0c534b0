"""The built-in packs as drawing code: numbers of an expression in, SVG out, pictures from that."""
