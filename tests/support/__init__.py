"""What tests share: a copy of the project, stubs of its stages, small models, servers on loopback."""
