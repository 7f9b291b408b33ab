"""The quantities of a field in a table: value, and the ends of the 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Mapping

import sorby
from qtpy.QtWidgets import QTableWidget, QTableWidgetItem

_COLUMNS = ["Quantity", "Value", "Low", "High", "Unit"]
#: Endings of names in the library, and units as a person reads them.
_UNITS = {
    "_percent": "%",
    "_per_um2": "1/µm²",
    "_per_um": "1/µm",
    "_um2": "µm²",
    "_nm": "nm",
}


def quantity(name: str, estimate: sorby.Estimate) -> tuple[str, str, str, str, str]:
    """Name, value, low, high and unit of a quantity as a person reads them."""
    ending = next((e for e in _UNITS if name.endswith(e)), "")
    words = name.removesuffix(ending).replace("_", " ")
    value, low, high = ("unknown" if math.isnan(v) else f"{v:.4g}" for v in estimate)
    return words, value, low, high, _UNITS.get(ending, "")


class Quantities(QTableWidget):
    """A row for each quantity; it can be read and copied, not changed."""

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self.setHorizontalHeaderLabels(_COLUMNS)
        self.verticalHeader().hide()
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setMinimumSize(430, 380)

    def show_field(self, field: Mapping[str, sorby.Estimate]) -> None:
        """Show these quantities in place of those before."""
        self.setRowCount(len(field))
        for row, (name, estimate) in enumerate(field.items()):
            for column, text in enumerate(quantity(name, estimate)):
                self.setItem(row, column, QTableWidgetItem(text))
        self.resizeColumnsToContents()

    def rows(self) -> list[list[str]]:
        """What is shown, row by row."""
        return [[self.item(row, column).text() for column in range(len(_COLUMNS))] for row in range(self.rowCount())]
