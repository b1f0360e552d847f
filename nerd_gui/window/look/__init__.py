"""The look of a result: how much noise is taken away, and how much detail is given back, without a new run."""
