#include "nostro/app/clearing_arrivals.hpp"

#include "nostro/adapters/postgres/arrivals.hpp"

namespace nostro {
namespace {

// Rights to note, and while the function is made, to make it.
constexpr const char* kGrants = R"(DO $body$
DECLARE owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'public.transactions'::regclass);
BEGIN
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA nostro TO %I', owner);
    EXECUTE format('GRANT INSERT ON nostro.arrivals TO %I', owner);
    EXECUTE format('GRANT SELECT ON nostro.account_numbers TO %I', owner);
END
$body$;
)";
constexpr const char* kRevoke = R"(DO $body$
BEGIN
    EXECUTE format('REVOKE CREATE ON SCHEMA nostro FROM %I',
                   (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'public.transactions'::regclass));
END
$body$;
)";

// The function belongs to the tables' owner and runs as that: those who insert need no rights in the schema nostro, and
// nothing that the owner may put into a row's type runs as somebody who may more. Rows that nostro itself writes
// (nostro.feeding) are no news, and neither are transactions that somebody has settled elsewhere. An account brings its
// customer along, because it must mean the same at every time.
constexpr const char* kTriggers = R"(CREATE FUNCTION nostro.note_arrivals() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF current_setting('nostro.feeding', true) = 'on' THEN
        RETURN NULL;
    ELSIF TG_TABLE_NAME = 'accounts' THEN
        INSERT INTO nostro.arrivals (message)
        SELECT (to_jsonb(a) || jsonb_build_object('table', 'accounts', 'customer_name', c.name,
                                                  'risk_level', c.risk_level))::text
        FROM arrived a LEFT JOIN public.customers c ON c.customer_id = a.customer_id ORDER BY a.id;
    ELSIF TG_TABLE_NAME = 'transactions' THEN
        INSERT INTO nostro.arrivals (message)
        SELECT (to_jsonb(t) || '{"table": "transactions"}')::text
        FROM arrived t WHERE coalesce(t.status, 'pending') = 'pending' ORDER BY t.id;
    ELSE
        INSERT INTO nostro.arrivals (message)
        SELECT (to_jsonb(c) || '{"table": "customers"}')::text FROM arrived c ORDER BY c.id;
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER nostro_arrivals AFTER INSERT ON public.customers REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION nostro.note_arrivals();
CREATE TRIGGER nostro_arrivals AFTER INSERT ON public.accounts REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION nostro.note_arrivals();
CREATE TRIGGER nostro_arrivals AFTER INSERT ON public.transactions REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION nostro.note_arrivals();
INSERT INTO nostro.arrivals (message)
SELECT (to_jsonb(a) || jsonb_build_object('table', 'accounts', 'customer_name', c.name, 'risk_level', c.risk_level))::text
FROM public.accounts a LEFT JOIN public.customers c ON c.customer_id = a.customer_id
WHERE NOT EXISTS (SELECT FROM nostro.account_numbers n WHERE n.account_number = a.account_number) ORDER BY a.id;
INSERT INTO nostro.arrivals (message)
SELECT (to_jsonb(t) || '{"table": "transactions"}')::text
FROM public.transactions t WHERE coalesce(t.status, 'pending') = 'pending' ORDER BY t.id;
)";

}  // namespace

std::string clearing_arrivals_sql() { return arrivals_sql() + kGrants; }
std::string clearing_triggers_sql() { return kTriggers; }
std::string clearing_triggers_done_sql() { return kRevoke; }
std::vector<std::string> clearing_triggered_tables() {
    return {"public.customers", "public.accounts", "public.transactions"};
}

}  // namespace nostro
