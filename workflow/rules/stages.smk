# One rule per stage, made from the table of stages. A stage that profiles share has one rule per source or data set.
# A rule's shell text is evaluated when it runs, after the loop. So it may use only values from its params.

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
