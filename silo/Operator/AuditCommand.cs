using System.CommandLine;
using System.Data.Common;
using System.Globalization;
using System.Text.Json;

using DataHub.Governance;
using DataHub.Hosting;
using DataHub.Storage;
using DataHub.Storage.Postgres;
using DataHub.Storage.Sqlite;

using Npgsql;

namespace DataHub.Operator;

/// <summary><c>silo audit verify</c>: checks the audit log, or an export of it, entry by entry. 0: all is whole, 1: something is not.</summary>
internal static class AuditCommand
{
    private const int PageEntries = 1_000, ProgressEntries = 100_000;

    public static Command Create()
    {
        var expect = new Option<string?>("--expect") { Description = "Früher vermerkter Stand des Logs, wie ihn /api/v1/audit/head nennt / Head of the log noted earlier, as /api/v1/audit/head tells it", HelpName = "NUMMER:HASH" };
        expect.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !AuditHead.TryParse(token.Value, out _))
                result.AddError($"--expect hat den Wert „{token.Value}“; erlaubt ist Nummer:Hash mit 64 Hexadezimalziffern. / --expect has the value “{token.Value}”; allowed is number:hash with 64 hexadecimal digits.");
        });
        var json = new Option<bool>("--json") { Description = "Ergebnis als JSON / Result as JSON" };
        var file = new Option<FileInfo?>("--file") { Description = "Statt des Hubs eine Datei prüfen: der NDJSON-Export aus /api/v1/audit / Verify a file instead of the hub: the NDJSON export of /api/v1/audit", HelpName = "DATEI" };
        var part = new Option<bool>("--part") { Description = "Die Datei ist ein gefilterter Export: Lücken sind keine Fehler / The file is a filtered export: gaps are no faults" };
        var data = new Option<string?>("--data") { Description = "Ordner eines eingebetteten, beendeten Hubs; sonst ./data / Folder of an embedded hub that is stopped; else ./data", HelpName = "ORDNER" };
        var verify = new Command("verify", "Prüft die Hash-Kette des Audit-Logs, jeden Inhalt und jede Löschung / Checks the audit log's chain of hashes, every content and every deletion") { expect, json, file, part, data };
        verify.Validators.Add(result =>
        {
            if (result.GetValue(part) && result.GetValue(file) is null) result.AddError("--part gibt es nur mit --file. / --part is for --file only.");
        });
        verify.SetAction((parsed, cancellationToken) =>
        {
            // The option's validator has seen to it that it can be read.
            var head = parsed.GetValue(expect) is { } text && AuditHead.TryParse(text, out var noted) ? noted : null;
            var verification = new AuditVerification(head, parsed.GetValue(part));
            return RunAsync(verification, parsed.GetValue(file), parsed.GetValue(data), parsed.GetValue(json), parsed.InvocationConfiguration.Output, cancellationToken);
        });
        return new("audit", "Das Audit-Log / The audit log") { verify };
    }

    private static async Task<int> RunAsync(AuditVerification verification, FileInfo? file, string? data, bool json, TextWriter output, CancellationToken cancellationToken)
    {
        var progress = json ? TextWriter.Null : output;
        if (file is not null) await OfFileAsync(verification, file, progress, cancellationToken);
        else await OfHubAsync(verification, data, progress, cancellationToken);
        await output.WriteAsync(json ? AuditReport.Json(verification) : AuditReport.Text(verification));
        await output.FlushAsync(cancellationToken);
        return verification.FaultCount == 0 ? 0 : 1;
    }

    private static async Task OfHubAsync(AuditVerification verification, string? data, TextWriter progress, CancellationToken cancellationToken)
    {
        var configuration = Hub.Configure(new HubStart { Urls = "http://127.0.0.1:0", Data = data }).Configuration;
        if (ClusterHub.IsAskedFor(configuration))
        {
            await using var session = await OperatorSession.OpenAsync(cancellationToken);
            await session.RequireSchemaAsync(cancellationToken);
            try
            {
                await using var database = PostgresDatabase.Open(session.Postgres);
                await OfStoreAsync(verification, new PostgresAuditStore(database), progress, cancellationToken);
            }
            catch (NpgsqlException e)
            {
                throw new StartException(new($"PostgreSQL antwortet nicht mehr: {e.Message}", $"PostgreSQL no longer answers: {e.Message}"), e);
            }

            return;
        }

        var options = configuration.GetSection(SqliteStorageOptions.Section).Get<SqliteStorageOptions>() ?? new();
        var path = Path.Combine(Path.GetFullPath(options.Folder), SqliteAuditStore.FileName);
        if (!File.Exists(path)) throw new StartException(new($"Es gibt kein Audit-Log {path}; --data nennt den Ordner.", $"There is no audit log {path}; --data names the folder."));
        try
        {
            using var taken = FolderLock.Take(options.Folder);
            await using var file = SqliteFile.Open(path, SqliteAuditStore.Family, options, TimeProvider.System);
            await OfStoreAsync(verification, new SqliteAuditStore(file), progress, cancellationToken);
        }
        catch (FolderInUseException e)
        {
            throw new StartException(new(
                $"Der Ordner {options.Folder} wird von einem laufenden Hub benutzt. Diesen beenden, oder einen Export prüfen (--file).",
                $"The folder {options.Folder} is in use by a running hub. Stop that one, or verify an export (--file)."), e);
        }
        catch (Exception e) when (e is SchemaException or DbException)
        {
            throw new StartException(new($"Das Audit-Log {path} lässt sich nicht lesen: {e.Message}", $"The audit log {path} cannot be read: {e.Message}"), e);
        }
    }

    private static async Task OfStoreAsync(AuditVerification verification, IAuditStore store, TextWriter progress, CancellationToken cancellationToken)
    {
        // Entries that come while it is checked are left for the next time: the head is read first, and nothing behind it.
        var head = await store.HeadAsync(IAuditGrain.Main, cancellationToken);
        for (var after = 0L; ;)
        {
            var page = await store.ReadAsync(IAuditGrain.Main, AuditQuery.All(after, PageEntries), cancellationToken);
            foreach (var entry in page)
            {
                if (entry.Sequence > head.Sequence)
                {
                    // Another head tells whether somebody appended them meanwhile, or whether they stand behind the end.
                    head = await store.HeadAsync(IAuditGrain.Main, cancellationToken);
                }

                await NextAsync(verification, entry, false, progress);
            }

            if (page.Count == 0) break;
            after = page[^1].Sequence;
        }

        verification.End(head);
        foreach (var fault in verification.Faults.Where(fault => fault.Kind == AuditFaultKind.NotDeleted && fault.Other < fault.Sequence).ToArray())
        {
            // Deleted while it was checked?
            foreach (var entry in await store.ReadAsync(IAuditGrain.Main, AuditQuery.All(fault.Other - 1, 1), cancellationToken)) verification.Settle(fault, entry);
        }
    }

    private static async Task OfFileAsync(AuditVerification verification, FileInfo file, TextWriter progress, CancellationToken cancellationToken)
    {
        try
        {
            using var reader = file.OpenText();
            for (var number = 1L; await reader.ReadLineAsync(cancellationToken) is { } line; number++)
            {
                if (line.Length == 0) continue;
                if (AuditExportLine.Read(line) is not { } read)
                    throw new StartException(new($"{file.Name}, Zeile {number}: kein Eintrag eines Audit-Exports.", $"{file.Name}, line {number}: not an entry of an audit export."));
                await NextAsync(verification, read.Entry, read.Differs, progress);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException(new($"{file.FullName} lässt sich nicht lesen: {e.Message}", $"{file.FullName} cannot be read: {e.Message}"), e);
        }

        verification.End(null);
    }

    private static async ValueTask NextAsync(AuditVerification verification, AuditEntry entry, bool differs, TextWriter progress)
    {
        verification.Next(entry, differs);
        if (verification.Entries % ProgressEntries == 0) await progress.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{verification.Entries} …"));
    }
}

/// <summary>An entry of an NDJSON export.</summary>
internal static class AuditExportLine
{
    /// <summary>The entry, and whether what stands beside its content says something else; null where it is none.</summary>
    public static (AuditEntry Entry, bool Differs)? Read(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            var content = Text("content") is { } text ? System.Text.Encoding.UTF8.GetBytes(text) : null;
            var outcome = Text("outcome");
            var columns = new AuditColumns(
                Text("id"), Text("at") is null ? null : root.GetProperty("at").GetDateTimeOffset().UtcTicks, Text("action"), Text("agency"), Text("actor"), Text("object"),
                outcome is null ? null : AuditContent.Outcome(outcome) is { } known ? (int)known : -1);
            var detail = root.GetProperty("detail");
            var said = detail.ValueKind == JsonValueKind.Null ? null : detail.EnumerateObject().Select(member => new AuditDetail(member.Name, member.Value.GetString()!)).ToArray();
            var happened = content is null ? null : AuditContent.Read(content);
            return (new(root.GetProperty("sequence").GetInt64(), Bytes("link")!, Bytes("leaf")!, Bytes("salt"), content, columns), !(said ?? []).SequenceEqual(happened?.Detail ?? []));

            string? Text(string name) => root.GetProperty(name).GetString();
            byte[]? Bytes(string name) => Text(name) is { } hex ? Convert.FromHexString(hex) : null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}

/// <summary>What a verification found, for people and for programs.</summary>
internal static class AuditReport
{
    public static string Text(AuditVerification found)
    {
        var text = new System.Text.StringBuilder();
        foreach (var fault in found.Faults) text.Append(CultureInfo.InvariantCulture, $"! {fault.Text.De} / {fault.Text.En}\n");
        if (found.FaultCount > found.Faults.Count) text.Append(CultureInfo.InvariantCulture, $"! … und {found.FaultCount - found.Faults.Count} weitere / and {found.FaultCount - found.Faults.Count} more\n");
        text.Append(CultureInfo.InvariantCulture, $"{found.Entries} Einträge / entries, {found.Deleted} rechtmäßig gelöscht / lawfully deleted, {found.FaultCount} Fehler / faults\n");
        text.Append(CultureInfo.InvariantCulture, $"Stand / head: {found.Head}\n");
        return text.Append(found.FaultCount == 0
            ? "Das Audit-Log ist unverändert und vollständig. Den Stand außerhalb des Hubs aufheben: --expect prüft ihn beim nächsten Mal. / The audit log is unchanged and complete. Keep the head outside of the hub: --expect checks it the next time.\n"
            : "Das Audit-Log wurde verändert. Nichts daran reparieren: Datenbank und diese Ausgabe sichern, mit der letzten Sicherung und vermerkten Ständen vergleichen (k8s/README.md). / The audit log was changed. Repair nothing: save the database and this output, compare with the last backup and heads that were noted (k8s/README.md).\n").ToString();
    }

    public static string Json(AuditVerification found) => JsonSerializer.Serialize(
        new
        {
            whole = found.FaultCount == 0,
            entries = found.Entries,
            deleted = found.Deleted,
            head = found.Head.ToString(),
            faultCount = found.FaultCount,
            faults = found.Faults.Select(fault => new { kind = JsonNamingPolicy.CamelCase.ConvertName(fault.Kind.ToString()), sequence = fault.Sequence, other = fault.Other, detail = fault.Text }),
        },
        WireJson.Options) + "\n";
}
