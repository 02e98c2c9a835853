# Figures of optimal transport, and what they show of trained models.


rule posteriors:
    input:
        inputs("posteriors"),
    output:
        outputs("posteriors"),
    log:
        log_of("posteriors"),
    benchmark:
        log_of("posteriors", "tsv")
    threads: compute("threads")
    resources:
        mem_mb=compute("memory_mb"),
        gpu=gpu,
        runtime=60,
    params:
        command=command("posteriors"),
    shell:
        "{params.command} > {log} 2>&1"


rule transport:
    input:
        inputs("transport"),
    output:
        outputs("transport"),
    log:
        log_of("transport"),
    benchmark:
        log_of("transport", "tsv")
    threads: compute("threads")
    resources:
        mem_mb=compute("memory_mb"),
        runtime=60,
    params:
        command=command("transport"),
    shell:
        "{params.command} > {log} 2>&1"
