"""The pipeline as a table: stages, jobs, profiles, and the dvc.yaml files rendered from them. Imports no torch."""
