"""AdamW as BERT uses it: warm-up, linear decay of the rate, and what weight decay leaves alone."""

import keras
from keras import ops


class WarmUpThenDecay(keras.optimizers.schedules.LearningRateSchedule):
    """rate · min((step + 1) / warm_up, (steps - step) / (steps - warm_up)): up, then down to 0.

    Paper: BERT (Devlin et al., 2018), appendix A.2: 10,000 steps of warm-up in 1,000,000.
    Differs from Google's code: its first step has the rate 0 and changes nothing.

    Args:
        accumulate: batches that make one step; Keras counts batches.
    """

    def __init__(self, rate, steps, warm_up, accumulate=1):
        if not 0 <= warm_up < steps:
            raise ValueError(
                "Warm-up must end before training does: fewer steps of warm-up, or more in all. "
                f"Received: warm_up={warm_up}, steps={steps}"
            )
        self.rate, self.steps, self.warm_up, self.accumulate = rate, steps, warm_up, accumulate

    def __call__(self, batch):
        step = ops.cast(ops.floor_divide(batch, self.accumulate), "float32")
        rising = (step + 1) / max(self.warm_up, 1)
        falling = (self.steps - step) / (self.steps - self.warm_up)
        return self.rate * ops.clip(ops.minimum(rising, falling), 0.0, 1.0)


class _DenseGradients:
    """A table's gradient as a whole table, not as the rows that were looked up.

    On TensorFlow such a gradient is an `IndexedSlices`, a row for each lookup. Keras squares these
    rows one by one where it should square their sum, in Adam's second moment and in the norm that
    is clipped: with repeated words, other numbers than on JAX and torch (Keras 3.13 to 3.15).
    """

    def apply(self, grads, trainable_variables=None):
        variables = (
            self._trainable_variables if trainable_variables is None else trainable_variables
        )
        whole = [_as_whole(g, v) for g, v in zip(grads, variables, strict=True)]
        return super().apply(whole, trainable_variables)


def _as_whole(gradient, variable):
    if not hasattr(gradient, "dense_shape"):
        return gradient
    return ops.scatter(gradient.indices[:, None], gradient.values, variable.shape)


class AdamW(_DenseGradients, keras.optimizers.AdamW):
    """θ ← θ - rate · (m̂ / √v̂ + decay · θ), the gradient's norm clipped first.

    ε, which keeps from dividing by 0, stands beside √v and not √v̂, as in Keras and TensorFlow.
    """


class Lamb(_DenseGradients, keras.optimizers.Lamb):
    """AdamW whose step is as long as a layer's weights, for very large batches.

    Paper: Large Batch Optimization for Deep Learning (You et al., 2019), algorithm 2.
    """


class Muon(_DenseGradients, keras.optimizers.Muon):
    """A matrix moves by its mean gradient with all singular values made 1; all else as in AdamW.

    Not in BERT's paper: Muon (Jordan et al., 2024), its steps scaled to the size of AdamW's (Liu et
    al., 2025, Muon is Scalable for LLM Training). In short runs it needs about half the steps.
    """


def build_optimizer(
    rate, steps, warm_up=None, accumulate=1, kind=AdamW, beta_2=0.999, weight_decay=0.01
):
    """BERT's optimizer: β 0.9 and 0.999, weight decay 0.01, gradients clipped to the norm 1.

    Weights are decayed, biases and LayerNorm's γ and β are not.

    Paper: BERT, appendix A.2. The clipping, ε and what is not decayed are from Google's code.
    Differs from Google's code: m and v are corrected for having begun at 0, as in Adam's paper.

    Args:
        rate: the highest learning rate.
        steps: changes of the weights in all; warm_up: of these, a tenth if None.
        accumulate: batches whose mean gradient makes one change.
        kind: `AdamW`, `Lamb` or `Muon`, whose tables and vectors learn at half the rate.
        beta_2: how much of the old v is kept; 0.999 remembers a thousand steps, 0.98 some fifty.
        weight_decay: times the rate is what a weight loses at each step.
    """
    warm_up = steps // 10 if warm_up is None else warm_up
    if kind is Muon:
        own = {"adam_beta_2": beta_2, "adam_weight_decay": weight_decay, "adam_lr_ratio": 0.5}
    else:
        own = {"beta_1": 0.9, "beta_2": beta_2}
    optimizer = kind(
        WarmUpThenDecay(rate, steps, warm_up, accumulate),
        weight_decay=weight_decay,
        epsilon=1e-6,
        global_clipnorm=1.0,
        gradient_accumulation_steps=accumulate if accumulate > 1 else None,
        **own,
    )
    # Parts of names, for on TensorFlow a name has more around it: "^bias$" would find nothing.
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
