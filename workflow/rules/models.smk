# What needs torch, and a GPU where params ask for one.


rule classifier:
    input:
        inputs("classifier"),
    output:
        outputs("classifier"),
    log:
        log_of("classifier"),
    benchmark:
        log_of("classifier", "tsv")
    threads: compute("threads")
    resources:
        mem_mb=compute("memory_mb"),
        gpu=gpu,
        runtime=60,
    params:
        command=command("classifier"),
    shell:
        "{params.command} > {log} 2>&1"


rule floor:
    input:
        inputs("floor"),
    output:
        outputs("floor"),
    log:
        log_of("floor"),
    benchmark:
        log_of("floor", "tsv")
    threads: compute("threads")
    resources:
        mem_mb=compute("memory_mb"),
        gpu=gpu,
        runtime=60,
    params:
        command=command("floor"),
    shell:
        "{params.command} > {log} 2>&1"


rule corruption:
    input:
        inputs("corruption"),
    output:
        outputs("corruption"),
    log:
        log_of("corruption"),
    benchmark:
        log_of("corruption", "tsv")
    threads: compute("threads")
    resources:
        mem_mb=compute("memory_mb"),
        gpu=gpu,
        runtime=60,
    params:
        command=command("corruption"),
    shell:
        "{params.command} > {log} 2>&1"


rule train:
    input:
        inputs("train"),
    output:
        outputs("train"),
    log:
        log_of("train"),
    benchmark:
        log_of("train", "tsv")
    threads: compute("threads")
    resources:
        mem_mb=compute("memory_mb"),
        gpu=gpu,
        runtime=1440,
    params:
        command=command("train"),
    shell:
        "{params.command} > {log} 2>&1"


rule evaluate:
    input:
        inputs("evaluate"),
    output:
        outputs("evaluate"),
    log:
        log_of("evaluate"),
    benchmark:
        log_of("evaluate", "tsv")
    threads: compute("threads")
    resources:
        mem_mb=compute("memory_mb"),
        gpu=gpu,
        runtime=120,
    params:
        command=command("evaluate"),
    shell:
        "{params.command} > {log} 2>&1"
