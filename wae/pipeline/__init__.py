"""The pipeline as a table: stages, jobs, profiles, and the dvc.yaml files that are rendered from them. No torch."""
