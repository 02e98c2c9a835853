include: "workflow/Snakefile"


rule all:
    default_target: True
    input:
        "results/table.csv",
