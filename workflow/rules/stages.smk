# One rule a stage, made from the table of stages; of what all profiles share, one a source and one a data set.
# A rule's shell text is evaluated when it runs, after the loop: what it names stands in params.

for rule_name, stage, fixed in stages():
    of = StageRule(stage, fixed)

    rule:
        name:
            rule_name
        input:
            of.inputs,
        output:
            of.outputs(),
        log:
            of.log(),
        benchmark:
            of.log("tsv")
        threads: of.threads
        resources:
            mem_mb=of.memory_mb,
            gpu=of.gpus,
            runtime=stage.resources.minutes,
        params:
            command=of.command,
        shell:
            "{params.command} > {log} 2>&1"
