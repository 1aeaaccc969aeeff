-- The least that settles a payment in PostgreSQL: what nostro does without its policy, history and proofs.
CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));
CREATE TABLE payments (
    id bigserial PRIMARY KEY,
    idempotency_key text NOT NULL UNIQUE,
    debtor bigint NOT NULL,
    creditor bigint NOT NULL,
    amount bigint NOT NULL,
    status text NOT NULL,
    accepted_at timestamptz NOT NULL
);
CREATE TABLE entries (payment bigint NOT NULL, account bigint NOT NULL, amount bigint NOT NULL);
CREATE TABLE audit (payment bigint NOT NULL, at timestamptz NOT NULL, what text NOT NULL);

INSERT INTO accounts SELECT n, 100000000000 FROM generate_series(1, :accounts) AS n;

CREATE FUNCTION settle(payment_key text, from_account bigint, to_account bigint, minor bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    payment bigint;
BEGIN
    INSERT INTO payments (idempotency_key, debtor, creditor, amount, status, accepted_at)
    VALUES (payment_key, from_account, to_account, minor, 'settled', now())
    ON CONFLICT (idempotency_key) DO NOTHING RETURNING id INTO payment;
    IF payment IS NULL THEN
        RETURN (SELECT id FROM payments WHERE idempotency_key = payment_key);
    END IF;
    -- The lower account first, so that two payments never wait for each other in a circle.
    UPDATE accounts SET balance = balance + CASE WHEN id = from_account THEN -minor ELSE minor END
    WHERE id = least(from_account, to_account);
    UPDATE accounts SET balance = balance + CASE WHEN id = from_account THEN -minor ELSE minor END
    WHERE id = greatest(from_account, to_account);
    INSERT INTO entries VALUES (payment, from_account, -minor), (payment, to_account, minor);
    INSERT INTO audit VALUES (payment, now(), 'settled');
    RETURN payment;
END
$$;
VACUUM ANALYZE;
