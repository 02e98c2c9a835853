# Figures and tables: light, no torch.


rule samples:
    input:
        inputs("samples"),
    output:
        outputs("samples"),
    log:
        log_of("samples"),
    benchmark:
        log_of("samples", "tsv")
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        command=command("samples"),
    shell:
        "{params.command} > {log} 2>&1"


rule codes:
    input:
        inputs("codes"),
    output:
        outputs("codes"),
    log:
        log_of("codes"),
    benchmark:
        log_of("codes", "tsv")
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        command=command("codes"),
    shell:
        "{params.command} > {log} 2>&1"


rule collect:
    input:
        inputs("collect"),
    output:
        outputs("collect"),
    log:
        log_of("collect"),
    benchmark:
        log_of("collect", "tsv")
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        command=command("collect"),
    shell:
        "{params.command} > {log} 2>&1"


rule compare:
    input:
        inputs("compare"),
    output:
        outputs("compare"),
    log:
        log_of("compare"),
    benchmark:
        log_of("compare", "tsv")
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        command=command("compare"),
    shell:
        "{params.command} > {log} 2>&1"


rule table:
    input:
        inputs("table"),
    output:
        outputs("table"),
    log:
        log_of("table"),
    benchmark:
        log_of("table", "tsv")
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        command=command("table"),
    shell:
        "{params.command} > {log} 2>&1"
