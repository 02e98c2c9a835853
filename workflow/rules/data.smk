# Downloads and arrays, shared by all profiles: one rule a source, one a data set.
# A rule's shell text is evaluated when it runs, after the loop: what it names stands in params.

for source in DATA.sources():

    rule:
        name:
            f"download_{source}"
        input:
            inputs_of(shared("download", source=source)),
        output:
            outputs("download", {"source": source}),
        log:
            f"logs/download/{source}.log",
        benchmark:
            f"logs/download/{source}.tsv"
        threads: 1
        resources:
            mem_mb=500,
            runtime=240,
        params:
            command=shared("download", source=source).command,
        shell:
            "{params.command} > {log} 2>&1"


for dataset in DATA.params["grid"]:

    rule:
        name:
            f"prepare_{dataset}"
        input:
            inputs_of(shared("prepare", dataset=dataset)),
        output:
            outputs("prepare", {"dataset": dataset}),
        log:
            f"logs/prepare/{dataset}.log",
        benchmark:
            f"logs/prepare/{dataset}.tsv"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=60,
        params:
            command=shared("prepare", dataset=dataset).command,
        shell:
            "{params.command} > {log} 2>&1"
