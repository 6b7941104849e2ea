/* Accounts: see the header. */
#include "mm/account.h"
#include "mm/kalloc.h"

struct account *account_new(uint32_t pid, struct process_quota limit)
{
    struct account *account = kalloc(sizeof(*account));
    if (account)
        *account = (struct account){.references = 1, .pid = pid, .limit = limit};
    return account;
}

void account_release(struct account *account)
{
    if (--account->references == 0)
        kfree(account);
}

bool account_charge(struct account *account, uint64_t pages)
{
    if (pages > account->limit.pages || account->pages > account->limit.pages - pages)
        return false;
    account->pages += (uint32_t)pages;
    return true;
}
