using System.Globalization;

using DataHub.Storage.Postgres;

using Orleans.Runtime;

namespace DataHub.Operator;

/// <summary>What of the facts is not as it should be, and what to do about it. Pure.</summary>
internal static class DoctorRules
{
    /// <summary>From here on clocks that differ matter: silos order their signs of life by them.</summary>
    public static readonly TimeSpan MaxSkew = TimeSpan.FromSeconds(2);

    /// <summary>For so long a silo that was declared dead is news.</summary>
    public static readonly TimeSpan RecentlyDead = TimeSpan.FromMinutes(15);

    public static IReadOnlyList<Finding> Findings(DoctorFacts facts)
    {
        var findings = new List<Finding>();
        findings.AddRange(OfServer(facts));
        findings.AddRange(OfSchema(facts.Schema));
        if (!facts.Schema.IsCurrent) return findings;
        findings.AddRange(OfSilos(facts));
        findings.AddRange(OfClocks(facts));
        findings.AddRange(OfConsumers(facts));
        return findings;
    }

    /// <summary>Silos that run, as far as membership tells.</summary>
    public static bool Runs(SiloFacts silo, DateTimeOffset now) => silo.Status == SiloStatus.Active && now - silo.Alive < OperatorSession.SilentAfter;

    /// <summary>When a silo was last suspected by another; null where it never was. One that stops in order suspects itself.</summary>
    public static DateTimeOffset? SuspectedAt(SiloFacts silo)
    {
        DateTimeOffset? last = null;
        foreach (var suspicion in (silo.Suspected ?? "").Split('|'))
        {
            if (suspicion.Split(',') is not [var by, var at] || by == $"{silo.Endpoint}@{silo.Generation}") continue;
            if (DateTimeOffset.TryParse(at.Replace(" GMT", "", StringComparison.Ordinal), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant) && (last is null || instant > last)) last = instant;
        }

        return last;
    }

    private static IEnumerable<Finding> OfServer(DoctorFacts facts)
    {
        var server = facts.Server;
        foreach (var (setting, value) in new[] { ("fsync", server.Fsync), ("full_page_writes", server.FullPageWrites) })
        {
            if (value == "on") continue;
            yield return new($"not-durable-{setting.Replace('_', '-')}",
                new($"PostgreSQL läuft mit {setting} = {value}: nach einem Stromausfall fehlt Bestätigtes.", $"PostgreSQL runs with {setting} = {value}: after a power cut what was acknowledged is gone."),
                new($"{setting} = on setzen und PostgreSQL neu laden; bis dahin startet kein Silo.", $"Set {setting} = on and reload PostgreSQL; until then no silo starts."));
        }

        var free = server.Limit - server.Promised - server.Others;
        if (free < 0)
        {
            yield return new("connections",
                new($"Silos dürfen {server.Promised} Verbindungen halten, {server.Others} sind sonst offen, erlaubt sind {server.Limit}: Silos können ohne Verbindung dastehen.", $"Silos may hold {server.Promised} connections, {server.Others} are open besides, {server.Limit} are allowed: silos may find themselves without one."),
                ConnectionAdvice());
        }
        else if (free < facts.MaxConnections)
        {
            yield return new("connections",
                new($"Es sind noch {free} Verbindungen frei, ein weiteres Silo will {facts.MaxConnections}: bei einem rollenden Austausch startet es nicht.", $"{free} connections are left, one more silo wants {facts.MaxConnections}: in a rolling replacement it does not start."),
                ConnectionAdvice());
        }

        static Catalog.LocalText ConnectionAdvice() => new(
            "max_connections erhöhen (Neustart von PostgreSQL), DataHub:Postgres:MaxConnections senken oder andere Programme beenden.",
            "Raise max_connections (restart of PostgreSQL), lower DataHub:Postgres:MaxConnections, or end other programs.");
    }

    private static IEnumerable<Finding> OfSchema(SchemaFacts schema)
    {
        if (schema.Fault is { } fault)
        {
            yield return new("schema", new(fault, fault), new("Das Programm nehmen, das zur Datenbank gehört.", "Use the program that belongs to the database."));
        }
        else if (schema.Missing > 0)
        {
            yield return new("schema",
                new($"Der Datenbank fehlen {schema.Missing} Migrationen bis {schema.Known}; kein Silo dieses Programms wird bereit.", $"The database lacks {schema.Missing} migrations up to {schema.Known}; no silo of this program becomes ready."),
                new("„silo migrate“ als Eigentümer der Datenbank ausführen.", "Run “silo migrate” as the database's owner."));
        }
    }

    private static IEnumerable<Finding> OfSilos(DoctorFacts facts)
    {
        if (!facts.Silos.Any(silo => Runs(silo, facts.At)))
        {
            yield return new("no-silo",
                new("Kein Silo läuft: Lieferungen und Abfragen bekommen 503. Alles Folgende kommt allein aus der Datenbank.", "No silo runs: pushes and polls get 503. Everything here comes from the database alone."),
                new("Die Silos starten; startet eines nicht, sagt die letzte Zeile seines Logs, warum.", "Start the silos; if one does not start, the last line of its log says why."));
        }
        else if (facts.NoAnswer is { } because)
        {
            yield return new("no-answer",
                new($"Silos stehen als aktiv da, aber keines antwortet von hier aus: {because}", $"Silos stand as active, but none answers from here: {because}"),
                new("Den Befehl dort ausführen, wo die Silos laufen; antworten sie auch dort nicht, ihre Logs ansehen.", "Run the command where the silos run; if they do not answer there either, look at their logs."));
        }

        foreach (var silo in facts.Silos)
        {
            if (silo.Status == SiloStatus.Active && !Runs(silo, facts.At))
            {
                yield return new("silent-silo",
                    new($"{silo.Name} ({silo.Endpoint}) steht als aktiv da, gibt aber seit {Seconds(facts.At - silo.Alive)} s kein Lebenszeichen.", $"{silo.Name} ({silo.Endpoint}) stands as active, but has given no sign of life for {Seconds(facts.At - silo.Alive)} s."),
                    new($"Läuft es nicht mehr, räumen die anderen es beim nächsten Start von selbst auf; bleibt es stehen: „silo evict {silo.Name}“.", $"If it no longer runs, the others clear it away by themselves; if it stays: “silo evict {silo.Name}”."));
            }
            else if (silo.Status == SiloStatus.Dead && SuspectedAt(silo) is { } at && facts.At - at < RecentlyDead)
            {
                yield return new("dead-silo",
                    new($"{silo.Name} ({silo.Endpoint}) wurde um {at:HH:mm:ss} UTC von anderen für tot erklärt.", $"{silo.Name} ({silo.Endpoint}) was declared dead by others at {at:HH:mm:ss} UTC."),
                    new("Nichts ist verloren. Im Log des Silos und beim Rechner nachsehen, warum es stand oder endete; es soll neu gestartet sein.", "Nothing is lost. Look in the silo's log and at its machine why it stood still or ended; it should have been started again."));
            }
            else if (silo.Status == SiloStatus.Active && SuspectedAt(silo) is { } suspected && facts.At - suspected < RecentlyDead)
            {
                yield return new("suspected-silo",
                    new($"{silo.Name} ({silo.Endpoint}) wurde um {suspected:HH:mm:ss} UTC von einem anderen Silo verdächtigt.", $"{silo.Name} ({silo.Endpoint}) was suspected by another silo at {suspected:HH:mm:ss} UTC."),
                    new("Auslastung und Netz des Rechners ansehen: er antwortet zu langsam.", "Look at the machine's load and network: it answers too slowly."));
            }
        }
    }

    private static IEnumerable<Finding> OfClocks(DoctorFacts facts)
    {
        var clocks = facts.Clocks.OrderBy(clock => clock.Key, StringComparer.Ordinal).Select(clock => (De: clock.Key, En: clock.Key, Ahead: clock.Value)).Prepend(("Dieser Rechner", "This machine", facts.Here));
        foreach (var (de, en, ahead) in clocks)
        {
            if (ahead.Duration() <= MaxSkew) continue;
            var (direction, way) = ahead > TimeSpan.Zero ? ("vor", "ahead of") : ("nach", "behind");
            yield return new("clock-skew",
                new($"{de}: die Uhr geht der Datenbank um {Seconds(ahead.Duration())} s {direction}.", $"{en}: the clock is {Seconds(ahead.Duration())} s {way} the database's."),
                new("Zeitabgleich (NTP, chrony) auf diesem Rechner und dem der Datenbank prüfen.", "Check time synchronisation (NTP, chrony) on that machine and on the database's."));
        }
    }

    private static IEnumerable<Finding> OfConsumers(DoctorFacts facts)
    {
        foreach (var halted in facts.Halted)
        {
            var since = halted.Since is { } at ? at.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC" : "?";
            yield return new("halted",
                new($"{Consumer(halted.Consumer, "de")} von {halted.Partition} steht vor Stapel {halted.Sequence}, empfangen {since}: {halted.Because}", $"{Consumer(halted.Consumer, "en")} of {halted.Partition} stands before batch {halted.Sequence}, received {since}: {halted.Because}"),
                new("Die genannte Ursache beheben; nichts geht verloren, andere Datenbestände laufen weiter. Es wird von selbst wieder versucht, sofort mit „silo halted retry“. Steht es danach noch: „silo verify“ und den Stapel den Entwicklern melden.", "Remove the cause that is named; nothing is lost, other datasets go on. It is tried again by itself, at once with “silo halted retry”. If it still stands then: “silo verify”, and report the batch to the developers."));
        }

        foreach (var (consumer, of) in new (string, Func<PartitionFacts, ConsumerFacts>)[] { ("fold", partition => partition.Fold), ("history", partition => partition.History) })
        {
            var late = facts.Partitions.Where(partition => of(partition).WaitsSince is { } since && facts.At - since > facts.MaxLag
                && !facts.Halted.Any(halted => halted.Partition == partition.Partition && halted.Consumer == consumer)).ToArray();
            if (late.Length == 0) continue;
            var worst = late.MinBy(partition => of(partition).WaitsSince)!;
            var (seconds, batches) = (Seconds(facts.At - of(worst).WaitsSince!.Value), worst.Head - of(worst).Sequence);
            yield return new("lag",
                new($"{Consumer(consumer, "de")} hängt bei {late.Length} Partitionen hinterher, am weitesten bei {worst.Partition}: {batches} Stapel, {seconds} s.", $"{Consumer(consumer, "en")} lags behind in {late.Length} partitions, furthest in {worst.Partition}: {batches} batches, {seconds} s."),
                facts.Silos.Any(silo => Runs(silo, facts.At))
                    ? new("Sinkt die Zahl beim nächsten Aufruf, holt der Hub auf. Sonst Auslastung von Silos und Datenbank ansehen, weitere Silos starten, Quoten setzen.", "If the number falls by the next call, the hub is catching up. Else look at the load of silos and database, start more silos, set quotas.")
                    : new("Das holen die Silos nach, sobald sie laufen.", "The silos catch up on this as soon as they run."));
        }

        foreach (var mute in facts.Mute.Take(10))
        {
            yield return new("mute",
                new($"{mute} sagt nicht, wie es steht.", $"{mute} does not say how it is."),
                new("In einigen Sekunden noch einmal aufrufen: Grains ziehen gerade um oder ein Silo ist überlastet.", "Call again in some seconds: grains are moving, or a silo is overloaded."));
        }
    }

    private static string Consumer(string consumer, string language) => (consumer, language) switch
    {
        ("fold", "de") => "Die Auswertung (fold)",
        ("fold", _) => "The fold",
        (_, "de") => "Die Historie (history)",
        _ => "History",
    };

    public static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
}
