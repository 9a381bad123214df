"""From a reference to an input tensor."""
