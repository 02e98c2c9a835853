# Downloads and arrays, shared by all profiles: one rule a source, one a data set.
# A rule's shell text is evaluated when it runs, after the loop: what it names stands in params.

for source in DATA.sources():

    rule:
        name:
            f"download_{source}"
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
            **tracked_job(Job(STAGES["download"], DATA, DATA.scope(source=source))),
        shell:
            "{params.command} > {log} 2>&1"


for dataset in DATA.params["grid"]:

    rule:
        name:
            f"prepare_{dataset}"
        input:
            Job(STAGES["prepare"], DATA, DATA.scope(dataset=dataset)).inputs,
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
            **tracked_job(Job(STAGES["prepare"], DATA, DATA.scope(dataset=dataset))),
        shell:
            "{params.command} > {log} 2>&1"
