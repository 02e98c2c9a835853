# Figures and tables: light, no torch.


rule figures:
    input:
        inputs("figures"),
    output:
        outputs("figures"),
    log:
        log_of("figures"),
    benchmark:
        log_of("figures", "tsv")
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        **tracked("figures"),
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
        **tracked("collect"),
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
        **tracked("compare"),
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
        **tracked("table"),
    shell:
        "{params.command} > {log} 2>&1"
