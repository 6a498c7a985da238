"""The API, one module a noun: each holds the structs of its answers and the operations that give them."""
