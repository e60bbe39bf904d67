"""Ring 2: tokenizer, prompts, generation loop, structured answers."""
