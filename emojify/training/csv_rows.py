"""Read the csv files of data sets row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from emojify.errors import EmojifyError
from emojify.training.sources import Source


def read_rows(source: Source, name: str) -> Iterator[tuple[str, list[str]]]:
    """Yield "<file>, line <n>" for messages, and the values of the line, for each line that is not empty.

    A value can't contain a line end.

    Raises:
        EmojifyError: if the file can't be read, is no csv, or exceeds a limit of :meth:`Source.lines`.
    """
    for number, line in enumerate(source.lines(name), start=1):
        where = f"{name}, line {number}"
        try:
            values = next(csv.reader([line]), [])
        except csv.Error as error:
            raise EmojifyError(f"{where}: this is no csv ({error}).") from error
        if values:
            yield where, values
