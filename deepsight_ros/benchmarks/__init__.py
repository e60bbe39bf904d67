"""What ``deepsight bench`` measures, and the plain implementations that it compares with."""
