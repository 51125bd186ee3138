"""The sandbox's "model": draws hair on a portrait, and says on the picture that it is a drawing."""
