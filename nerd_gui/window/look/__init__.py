"""The look of a result: how much noise is removed and how much detail is given back, without a new run."""
