"""Emoji packs: seven pictures, one for each emotion."""
