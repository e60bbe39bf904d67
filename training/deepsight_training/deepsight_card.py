"""Model card of a DeepSight bundle, written from what was measured."""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Final

from deepsight_training.models.modeling_deepsight import DeepSightForConditionalGeneration

_TEXT: Final = """# {name}

Answers questions about a scene from metric depth alone: distances, which of things is nearer,
counting, free space, what is where. After DeepSight (arXiv 2603.06090); sizes and formulas that
the paper does not tell are this project's own.

**Licence of the weights:** {licence}.

## Use

`deepsight_ros.perception.answering.SpatialAnswering.load(<this folder>)` takes a depth image in
metres, its camera, and the ground plane where it is known. **It is not a safety function:**
nothing here bounds the error of an answer.

## Network

{weights:.1f} million weights: a depth encoder ({kind}) that makes {tokens} visual tokens of a
{width}x{height} depth picture with the camera's rays, the ground and the robot's volume as further
channels, and a causal language model ({text}, {layers} layers of {size}). Places in a question
carry features of the picture, and how far they are from the place named before.

## Data

{data}

Answers come from exact depth; what the model sees has the noise and holes of cameras, laser
scanners and embodied depth. Questions come from a grammar; the last four wordings of each family
are never trained on.

## Limits

Distances, heights, gaps and the way ahead it reads well; names of things less, and with them how
far a named thing is; it counts right in every third to second case, as it overlooks things: README
has the table. Of estimated depth it is as right as the estimate. It answers in the words of the
grammar, in English.

## Measured

`same_text` is the share of answers that are PyTorch's to the letter. `confidence_error` is the
expected calibration error of `confidence` over ten bins, on frames that neither the weights nor
`confidence.json` have seen; `confidence_error_of_probabilities` is that of the bare product of the
tokens' probabilities.

{metrics}
"""


def deepsight_card(
    name: str, model: DeepSightForConditionalGeneration, licence: str, trained: Iterable[str],
    metrics: Iterable[Mapping[str, Any]],
) -> str:
    """Text of a bundle's card; the arguments are those of its manifest."""
    rows = [f'| {m["name"]} | {m["value"]} | {m["dataset"]} | {m["date"]} |' for m in metrics]
    encoder, text = model.config.encoder_config, model.config.text_config
    return _TEXT.format(
        name=name, licence=licence, data='\n'.join(f'- {title}' for title in trained),
        weights=sum(parameter.numel() for parameter in model.parameters()) / 1e6,
        kind=encoder.kind, tokens=encoder.visual_tokens, width=encoder.width,
        height=encoder.height, text=text.model_type, layers=text.num_hidden_layers,
        size=text.hidden_size,
        metrics='\n'.join(['| metric | value | on | date |', '|---|---|---|---|', *rows])
        if rows else 'Nothing yet.')
