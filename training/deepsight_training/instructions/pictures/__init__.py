"""The paper's pipeline for plain pictures: estimated depth, written and checked instructions."""
