/* Parses the services file, a line at a time, through a table of directives. */

#include "config.h"
#include "abi/errno.h"
#include "abi/handle.h"
#include "abi/memory.h"
#include <string.h>

#define WORDS_MAX      20
#define LIST_LEN(list) (sizeof(list) / sizeof((list)[0]))

/* One directive: its words (words[0] is its own), and how many it may have in all. */
struct directive {
    const char *name;
    size_t min_words, max_words;
    const char *(*apply)(struct config_section *section, char **words, size_t count);
};

struct named_number {
    const char *name;
    uint32_t number;
};

static bool lookup(const struct named_number *list, size_t count, const char *name,
                   uint32_t *number)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].name, name) == 0) {
            *number = list[i].number;
            return true;
        }
    }
    return false;
}

/* A decimal number of at most max, with k or m behind it if suffixes are allowed. */
static bool parse_number(const char *text, bool suffixes, uint32_t max, uint32_t *number)
{
    uint64_t value = 0;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        value = value * 10 + (uint64_t)(*text - '0');
        if (value > UINT32_MAX)
            return false;
    }
    if (suffixes && (*text == 'k' || *text == 'm'))
        value <<= *text++ == 'k' ? 10 : 20;
    if (*text != '\0' || value > max)
        return false;
    *number = (uint32_t)value;
    return true;
}

static const char *apply_run(struct config_section *section, char **words, size_t count)
{
    if (section->argc > 0)
        return "a second run line";
    for (size_t i = 1; i < count; i++)
        section->argv[section->argc++] = words[i];
    return NULL;
}

static const char *apply_device(struct config_section *section, char **words, size_t count)
{
    static const struct named_number kinds[] = {{"net", 1}, {"block", 2}, {"console", 3},
                                                {"rng", 4}, {"gpu", 16},  {"input", 18}};
    struct config_device device = {.maybe = count == 3};

    if (!lookup(kinds, LIST_LEN(kinds), words[1], &device.virtio_id) &&
        (!parse_number(words[1], false, 1000, &device.virtio_id) || device.virtio_id == 0))
        return "unknown kind of device";
    if (count == 3 && strcmp(words[2], "maybe") != 0)
        return "only \"maybe\" may follow a device";
    if (section->device_count == CONFIG_DEVICES_MAX)
        return "too many device lines";
    section->devices[section->device_count++] = device;
    return NULL;
}

static const char *apply_optional(struct config_section *section, char **words, size_t count)
{
    (void)words, (void)count;
    section->optional = true;
    return NULL;
}

static const char *apply_namespace(struct config_section *section, char **words, size_t count)
{
    (void)words, (void)count;
    section->namespace = true;
    return NULL;
}

static const char *apply_sync(struct config_section *section, char **words, size_t count)
{
    (void)words, (void)count;
    section->sync = true;
    return NULL;
}

static const char *append(const char **list, size_t *used, size_t max, char **words, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (*used == max)
            return "too many of these";
        list[(*used)++] = words[i];
    }
    return NULL;
}

static const char *apply_needs(struct config_section *section, char **words, size_t count)
{
    return append(section->needs, &section->need_count, CONFIG_NEEDS_MAX, words, count);
}

static const char *apply_serves(struct config_section *section, char **words, size_t count)
{
    return append(section->serves, &section->serve_count, CONFIG_SERVES_MAX, words, count);
}

static const char *apply_give(struct config_section *section, char **words, size_t count)
{
    return append(section->gives, &section->give_count, CONFIG_GIVES_MAX, words, count);
}

static const char *apply_env(struct config_section *section, char **words, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (strchr(words[i], '=') == NULL || words[i][0] == '=')
            return "an environment variable is NAME=VALUE";
    return append(section->env, &section->env_count, CONFIG_ENV_MAX, words, count);
}

static const char *apply_cwd(struct config_section *section, char **words, size_t count)
{
    (void)count;
    section->cwd = words[1];
    return NULL;
}

static const char *apply_endpoint(struct config_section *section, char **words, size_t count)
{
    static const struct named_number endpoints[] = {{"vfs", HANDLE_VFS},
                                                    {"network", HANDLE_NETWORK},
                                                    {"loader", HANDLE_LOADER},
                                                    {"block", HANDLE_BLOCK}};
    (void)count;
    return lookup(endpoints, LIST_LEN(endpoints), words[1], &section->endpoint)
               ? NULL
               : "endpoints are vfs, network, loader and block";
}

static const char *apply_priority(struct config_section *section, char **words, size_t count)
{
    (void)count;
    return parse_number(words[1], false, PRIORITIES - 1, &section->priority) &&
                   section->priority > 0
               ? NULL
               : "a priority is 1 to 31";
}

static const char *apply_stack(struct config_section *section, char **words, size_t count)
{
    (void)count;
    return parse_number(words[1], true, 1u << 30, &section->stack) ? NULL : "not a size";
}

static const char *apply_keep(struct config_section *section, char **words, size_t count)
{
    if (!parse_number(words[1], true, MEMORY_SIZE_MAX, &section->keep) || section->keep == 0)
        return "not a size";
    if (count != 2 && (count != 4 || strcmp(words[2], "handles") != 0 ||
                       !parse_number(words[3], false, HANDLES_MAX, &section->keep_handles)))
        return "keep is \"keep SIZE [handles N]\"";
    section->keep = (section->keep + PAGE_SIZE - 1) & ~(uint32_t)(PAGE_SIZE - 1);
    return NULL;
}

static const char *apply_heartbeat(struct config_section *section, char **words, size_t count)
{
    (void)count;
    return parse_number(words[1], false, 600000, &section->heartbeat) && section->heartbeat > 0
               ? NULL
               : "a heartbeat is 1 to 600000 ms";
}

static const char *apply_quota(struct config_section *section, char **words, size_t count)
{
    struct {
        const char *name;
        uint32_t *field;
    } limits[] = {{"pages=", &section->quota.pages},
                  {"handles=", &section->quota.handles},
                  {"threads=", &section->quota.threads},
                  {"channels=", &section->quota.channels}};

    for (size_t i = 1; i < count; i++) {
        size_t n = 0;
        while (n < LIST_LEN(limits) &&
               strncmp(words[i], limits[n].name, strlen(limits[n].name)) != 0)
            n++;
        if (n == LIST_LEN(limits) ||
            !parse_number(words[i] + strlen(limits[n].name), true, UINT32_MAX, limits[n].field))
            return "a quota is pages=N, handles=N, threads=N or channels=N";
    }
    return NULL;
}

static const char *apply_restart(struct config_section *section, char **words, size_t count)
{
    if (strcmp(words[1], "never") == 0 && count == 2)
        return NULL;
    if (strcmp(words[1], "always") != 0 || count % 2 != 0)
        return "restart is \"never\" or \"always [limit N] [backoff MS]\"";
    section->restart = true;
    for (size_t i = 2; i < count; i += 2) {
        uint32_t *field = strcmp(words[i], "limit") == 0     ? &section->restart_limit
                          : strcmp(words[i], "backoff") == 0 ? &section->restart_backoff
                                                             : NULL;
        if (field == NULL || !parse_number(words[i + 1], false, 60000, field))
            return "after \"restart always\" come limit N and backoff MS";
    }
    return NULL;
}

static const struct directive directives[] = {
    {"run", 2, 1 + CONFIG_ARGS_MAX, apply_run},
    {"device", 2, 3, apply_device},
    {"optional", 1, 1, apply_optional},
    {"needs", 2, 1 + CONFIG_NEEDS_MAX, apply_needs},
    {"give", 2, 1 + CONFIG_GIVES_MAX, apply_give},
    {"serves", 2, 1 + CONFIG_SERVES_MAX, apply_serves},
    {"namespace", 1, 1, apply_namespace},
    {"endpoint", 2, 2, apply_endpoint},
    {"priority", 2, 2, apply_priority},
    {"stack", 2, 2, apply_stack},
    {"keep", 2, 4, apply_keep},
    {"heartbeat", 2, 2, apply_heartbeat},
    {"quota", 2, 5, apply_quota},
    {"restart", 2, 6, apply_restart},
    {"sync", 1, 1, apply_sync},
    {"env", 2, 1 + CONFIG_ENV_MAX, apply_env},
    {"cwd", 2, 2, apply_cwd},
};

static const char *open_section(struct config *config, char **words, size_t count)
{
    bool shell = strcmp(words[0], "shell") == 0;

    if (count != 2)
        return "a section has one name";
    if (config_find(config, words[1]) != NULL)
        return "a second section of this name";
    if (config->section_count == CONFIG_SECTIONS_MAX)
        return "too many sections";
    for (size_t i = 0; shell && i < config->section_count; i++)
        if (config->sections[i].shell)
            return "a second shell";
    struct config_section *section = &config->sections[config->section_count++];
    section->name = words[1];
    section->shell = shell;
    return NULL;
}

static const char *apply_line(struct config *config, char **words, size_t count)
{
    if (strcmp(words[0], "service") == 0 || strcmp(words[0], "shell") == 0)
        return open_section(config, words, count);
    if (config->section_count == 0)
        return "a directive before the first section";
    for (size_t i = 0; i < LIST_LEN(directives); i++) {
        const struct directive *directive = &directives[i];
        if (strcmp(words[0], directive->name) != 0)
            continue;
        if (count < directive->min_words || count > directive->max_words)
            return "wrong number of words";
        return directive->apply(&config->sections[config->section_count - 1], words, count);
    }
    return "unknown directive";
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts a line into words, in place. Their number, or WORDS_MAX + 1 if there are too many. */
static size_t split(char *line, char **words)
{
    size_t count = 0;

    for (;;) {
        while (is_blank(*line))
            line++;
        if (*line == '\0' || *line == '#')
            return count;
        if (count == WORDS_MAX)
            return WORDS_MAX + 1;
        words[count++] = line;
        while (*line != '\0' && *line != '#' && !is_blank(*line))
            line++;
        char end = *line;
        if (end != '\0')
            *line++ = '\0';
        if (end == '#')
            return count;
    }
}

static const char *parse_line(struct config *config, char *line)
{
    char *words[WORDS_MAX];
    size_t count = split(line, words);

    if (count == 0)
        return NULL;
    if (count > WORDS_MAX)
        return "too many words";
    return apply_line(config, words, count);
}

static const char *check_sections(const struct config *config)
{
    for (size_t i = 0; i < config->section_count; i++) {
        const struct config_section *section = &config->sections[i];
        if (section->argc == 0)
            return "a section without a run line";
        for (size_t n = 0; n < section->need_count; n++) {
            const struct config_section *needed = config_find(config, section->needs[n]);
            if (needed == NULL || needed >= section)
                return "a needed service must come earlier";
        }
    }
    return NULL;
}

int config_parse(struct config *config, const char *text, size_t len)
{
    memset(config, 0, sizeof *config);
    config->error_line = 1;
    if (len >= sizeof config->text || memchr(text, '\0', len) != NULL) {
        config->error = "too long, or not a text file";
        return -EINVAL;
    }
    memcpy(config->text, text, len);
    for (char *line = config->text; line != NULL; config->error_line++) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        config->error = parse_line(config, line);
        if (config->error != NULL)
            return -EINVAL;
        line = end;
    }
    config->error = check_sections(config);
    if (config->error != NULL)
        return -EINVAL;
    config->error_line = 0;
    return 0;
}

const struct config_section *config_find(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->section_count; i++)
        if (strcmp(config->sections[i].name, name) == 0)
            return &config->sections[i];
    return NULL;
}

/* Takes the next word of a command line off *text and removes quotation marks in place. */
static char *next_word(char **text)
{
    char *from = *text;
    while (is_blank(*from) || *from == '\n')
        from++;
    if (*from == '\0')
        return NULL;

    char *word = from, *to = from;
    bool quoted = false;
    for (; *from != '\0' && (quoted || (!is_blank(*from) && *from != '\n')); from++) {
        if (*from == '"')
            quoted = !quoted;
        else
            *to++ = *from;
    }
    *text = *from == '\0' ? from : from + 1;
    *to = '\0';
    return word;
}

void boot_options_parse(struct boot_options *options, char *text)
{
    char *word;

    memset(options, 0, sizeof *options);
    while ((word = next_word(&text)) != NULL) {
        if (strcmp(word, "plain") == 0)
            options->plain = true;
        else if (strncmp(word, "run=", 4) == 0 && word[4] != '\0')
            options->run = word + 4;
        else if (options->unknown_count < LIST_LEN(options->unknown))
            options->unknown[options->unknown_count++] = word;
    }
}
