"""Choices are remembered at the next start."""

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QComboBox, QDoubleSpinBox, QSpinBox, QSplitter


def state(window):
    def find(kind, name):
        return window.findChild(kind, name)

    return {
        "solver": find(QComboBox, "solverCombo").currentText(),
        "steps": find(QSpinBox, "maxIterSpin").value(),
        "tolerance": find(QComboBox, "toleranceCombo").currentText(),
        "precision": find(QComboBox, "precisionCombo").currentText(),
        "sigma": find(QDoubleSpinBox, "sigmaSpin").value(),
        "mode": window.modes.mode,
        "dark": find(QAction, "darkAppearanceAction").isChecked(),
        "runs": find(QAbstractButton, "runsHeading").isChecked(),
        "strip": find(QAction, "filmStripAction").isChecked(),
        "change": find(QAbstractButton, "residualChangeCheck").isChecked(),
        "split": find(QSplitter, "mainSplitter").sizes(),
    }


def test_choices_are_there_again(qtbot, make_window, photo_path):
    first = make_window(photo_path)
    before = state(first)
    first.resize(1200, 760)
    first.findChild(QComboBox, "solverCombo").setCurrentText("Anderson")
    first.findChild(QSpinBox, "maxIterSpin").setValue(9)
    first.findChild(QComboBox, "toleranceCombo").setCurrentText("1e-2")
    first.findChild(QComboBox, "precisionCombo").setCurrentText("bfloat16")
    first.noise.mode.setCurrentIndex(0)
    first.findChild(QDoubleSpinBox, "sigmaSpin").setValue(37.5)
    first.findChild(QAction, "darkAppearanceAction").trigger()
    first.findChild(QAbstractButton, "runsHeading").click()
    first.findChild(QAction, "filmStripAction").trigger()
    first.findChild(QAbstractButton, "residualChangeCheck").click()
    first.findChild(QSplitter, "mainSplitter").setSizes([700, 500])
    chosen = state(first)
    assert [name for name in chosen if name not in ("mode",) and chosen[name] == before[name]] == []
    first.close()
    second = make_window(photo_path)
    again = state(second)
    assert again == chosen
    settings = second.controls.settings()
    assert (settings.solver, settings.max_iter, settings.tol, settings.precision) == ("anderson", 9, 1e-2, "bfloat16")
    assert second.session.workspace.sigma == 37.5 and not second.session.workspace.add_noise  # a file counts as noisy
    assert not second.session.history.canUndo()
    second.findChild(QAction, "systemAppearanceAction").trigger()
