namespace DataHub.Catalog;

/// <summary>What an operation of the public interface needs.</summary>
/// <param name="Route">Method and path, such as <c>PUT /api/v1/datasets/{dataset}</c>; GET answers HEAD too.</param>
/// <param name="Right">Null: nothing, everybody may.</param>
/// <param name="Target">On what the right is needed.</param>
/// <param name="Note">Where more than the right decides, or less is told.</param>
public sealed record AccessOperation(string Route, AccessRights? Right, AccessTarget Target, LocalText? Note = null);

/// <summary>A form of a page, and the operation of the interface that it stands for.</summary>
public sealed record AccessForm(string Route, string Operation);

/// <summary>What an operation is about.</summary>
public enum AccessTarget
{
    /// <summary>No object that somebody owns.</summary>
    Nothing = 0,
    Dataset = 1,
    Indicator = 2,
    Dataspace = 3,
    Agency = 4,
    Platform = 5,

    /// <summary>A job of pipelines, its runs, and files: what belongs to an agency, in a dataspace or in none.</summary>
    Job = 6,
}

/// <summary>
/// Every operation of the public interface with the right that it needs, and every role with the rights that it has: the
/// table that the documentation shows and that the tests go through, cell by cell.
/// </summary>
public static class AccessTable
{
    private static readonly LocalText
        s_seen = new("sagt nur, wovon die Fragenden wissen dürfen", "tells only what the caller may know of"),
        s_changes = new(
            "je nach Änderung auch: Titel, Beschreibung, Lizenz und Rechtsgrundlage `edit-metadata` (statt `edit-definitions`), Zugangsklasse und Zustand `release`, Datenraum `grant` auf beiden Seiten",
            "depending on the change also: title, description, licence and legal basis `edit-metadata` (instead of `edit-definitions`), access class and state `release`, dataspace `grant` on both sides"),
        s_opens = new("öffnet die Definition Werte für alle, auch `release`", "where the definition opens values to everybody, `release` too"),
        s_steps = new("zwischen DRAFT und READY genügt `edit-metadata` oder `edit-definitions`; personenbezogene Daten geben zwei frei", "between DRAFT and READY `edit-metadata` or `edit-definitions` suffices; personal data is released by two"),
        s_receipt = new("auch Schlüssel der Behörde, die geliefert hat; wer nicht darf, erhält 404", "also keys of the agency that pushed; whoever may not gets 404"),
        s_audit = new("was die eigene Behörde angeht; wer die Plattform verwaltet, sieht alles", "what is the own agency's business; whoever administers the platform sees everything"),
        s_self = new("für sich selbst und die Öffentlichkeit alle; für andere `grant` am Objekt", "everybody for himself and the public; for others `grant` on the object"),
        s_sides = new(
            "für die empfangende Seite `manage-agency` an ihrer Behörde oder die Rolle Koordination in einem ihrer Datenräume durch eine ihrer Gruppen; wer für keine Seite handelt, erhält 404",
            "for the recipient `manage-agency` on its agency, or the role coordinator in a dataspace of it through a group of it; whoever acts for no side gets 404"),
        s_shared = new(
            "auch durch eine Vereinbarung in Kraft, für einen Zweck, den sie nennt (Kopfzeile `DataHub-Purpose`): dann deren Zeilen und Felder",
            "also through a sharing agreement in force, for a purpose that it names (header `DataHub-Purpose`): then its rows and fields"),
        s_evidence = new(
            "auch durch eine Vereinbarung in Kraft der Form `evidence`, für einen Zweck, den sie nennt (Kopfzeile `DataHub-Purpose`); dass Zeilen offen sind, genügt nicht",
            "also through a sharing agreement in force of form `evidence`, for a purpose that it names (header `DataHub-Purpose`); that rows are open does not suffice"),
        s_asked = new(
            "die Behörde, die fragen darf, sieht ihre eigenen Abfragen (`manage-agency`, sonst wer gefragt hat seine); andere erhalten 404",
            "the agency that may ask sees its own questions (`manage-agency`, else whoever asked his own); others get 404"),
        s_job = new(
            "dazu selbst die Rechte, die die Schritte brauchen: `read-rows` an gelesenen, `push` an beschriebenen, `release` an freigegebenen Datensätzen",
            "and oneself the rights that the steps need: `read-rows` on datasets that are read, `push` on those written, `release` on those published"),
        s_own = new("für einen neuen Datenraum das Recht an der Behörde `owner`", "for a new dataspace the right on the agency `owner`");

    /// <summary>In the order of the routes.</summary>
    public static IReadOnlyList<AccessOperation> Operations { get; } =
    [
        new("GET /api/v1/access", null, AccessTarget.Nothing, s_self),
        new("GET /api/v1/agencies", null, AccessTarget.Nothing),
        new("PUT /api/v1/agencies/{agency}", AccessRights.Administer, AccessTarget.Platform),
        new("GET /api/v1/agencies/{agency}", null, AccessTarget.Nothing),
        new("GET /api/v1/agencies/{agency}/groups", AccessRights.ManageAgency, AccessTarget.Agency),
        new("PUT /api/v1/agencies/{agency}/groups/{group}", AccessRights.ManageAgency, AccessTarget.Agency),
        new("GET /api/v1/agencies/{agency}/groups/{group}", AccessRights.ManageAgency, AccessTarget.Agency),
        new("PUT /api/v1/agencies/{agency}/groups/{group}/members/{person}", AccessRights.ManageAgency, AccessTarget.Agency),
        new("DELETE /api/v1/agencies/{agency}/groups/{group}/members/{person}", AccessRights.ManageAgency, AccessTarget.Agency),
        new("POST /api/v1/agencies/{agency}/keys", AccessRights.ManageAgency, AccessTarget.Agency),
        new("GET /api/v1/agencies/{agency}/keys", AccessRights.ManageAgency, AccessTarget.Agency),
        new("DELETE /api/v1/agencies/{agency}/keys/{id}", AccessRights.ManageAgency, AccessTarget.Agency),
        new("POST /api/v1/agencies/{agency}/keys/{id}/rotation", AccessRights.ManageAgency, AccessTarget.Agency),
        new("GET /api/v1/agencies/{agency}/pseudonym-keys", AccessRights.ManageAgency, AccessTarget.Agency),
        new("POST /api/v1/agencies/{agency}/pseudonym-keys/{purpose}/rotation", AccessRights.ManageAgency, AccessTarget.Agency),
        new("POST /api/v1/agencies/{agency}/pseudonym-keys/{purpose}/versions/{version}/destruction", AccessRights.ManageAgency, AccessTarget.Agency),
        new("GET /api/v1/agencies/{agency}/pull-keys", AccessRights.ManageAgency, AccessTarget.Agency),
        new("PUT /api/v1/agencies/{agency}/pull-keys/{key}", AccessRights.ManageAgency, AccessTarget.Agency),
        new("GET /api/v1/agencies/{agency}/pull-keys/{key}", AccessRights.ManageAgency, AccessTarget.Agency),
        new("DELETE /api/v1/agencies/{agency}/pull-keys/{key}", AccessRights.ManageAgency, AccessTarget.Agency),
        new("PUT /api/v1/agencies/{agency}/quota", AccessRights.Administer, AccessTarget.Platform),
        new("GET /api/v1/agencies/{agency}/quota", AccessRights.ManageAgency, AccessTarget.Agency),
        new("GET /api/v1/agreements", null, AccessTarget.Nothing, s_seen),
        new("PUT /api/v1/agreements/{agreement}", AccessRights.Grant, AccessTarget.Dataset, s_sides),
        new("GET /api/v1/agreements/{agreement}", AccessRights.Grant, AccessTarget.Dataset, s_sides),
        new("POST /api/v1/agreements/{agreement}/acts", AccessRights.Grant, AccessTarget.Dataset, s_sides),
        new("PUT /api/v1/agreements/{agreement}/derived/{dataset}", AccessRights.Administer, AccessTarget.Platform, s_sides),
        new("GET /api/v1/agreements/{agreement}/effect", AccessRights.Grant, AccessTarget.Dataset, s_sides),
        new("GET /api/v1/agreements/{agreement}/events", AccessRights.Grant, AccessTarget.Dataset, s_sides),
        new("GET /api/v1/agreements/{agreement}/odrl", AccessRights.Grant, AccessTarget.Dataset, s_sides),
        new("GET /api/v1/agreements/{agreement}/text", AccessRights.Grant, AccessTarget.Dataset, s_sides),
        new("GET /api/v1/agreements/{agreement}/usage", AccessRights.Grant, AccessTarget.Dataset, s_sides),
        new("GET /api/v1/areas", null, AccessTarget.Nothing),
        new("PUT /api/v1/areas/{system}", AccessRights.Administer, AccessTarget.Platform),
        new("GET /api/v1/areas/{system}", null, AccessTarget.Nothing),
        new("GET /api/v1/charter", null, AccessTarget.Nothing),
        new("GET /api/v1/datasets", null, AccessTarget.Nothing, s_seen),
        new("PUT /api/v1/datasets/{dataset}", AccessRights.EditDefinitions, AccessTarget.Dataset, s_changes),
        new("GET /api/v1/datasets/{dataset}", AccessRights.ReadMetadata, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/conservation", AccessRights.ReadReceipts, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/csvw", AccessRights.ReadMetadata, AccessTarget.Dataset),
        new("POST /api/v1/datasets/{dataset}/erasures", AccessRights.Erase, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/erasures", AccessRights.Erase, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/erasures/{erasure}", AccessRights.Erase, AccessTarget.Dataset),
        new("POST /api/v1/datasets/{dataset}/evidence", AccessRights.ReadRows, AccessTarget.Dataset, s_evidence),
        new("GET /api/v1/datasets/{dataset}/evidence", AccessRights.Grant, AccessTarget.Dataset, s_asked),
        new("POST /api/v1/datasets/{dataset}/evidence/inquiries", AccessRights.Grant, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/feeds", AccessRights.ReadMetadata, AccessTarget.Dataset),
        new("PUT /api/v1/datasets/{dataset}/feeds/{feed}", AccessRights.EditDefinitions, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/feeds/{feed}", AccessRights.ReadMetadata, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/feeds/{feed}/receipts", AccessRights.ReadReceipts, AccessTarget.Dataset),
        new("POST /api/v1/datasets/{dataset}/feeds/{feed}/records", AccessRights.Push, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/feeds/{feed}/state", AccessRights.ReadReceipts, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/quarantine", AccessRights.ReadReceipts, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/quarantine/acts", AccessRights.ReadReceipts, AccessTarget.Dataset),
        new("POST /api/v1/datasets/{dataset}/quarantine/discard", AccessRights.Push, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/quarantine/groups", AccessRights.ReadReceipts, AccessTarget.Dataset),
        new("POST /api/v1/datasets/{dataset}/quarantine/replay", AccessRights.Push, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/records", AccessRights.ReadRows, AccessTarget.Dataset, s_shared),
        new("GET /api/v1/datasets/{dataset}/release", AccessRights.ReadMetadata, AccessTarget.Dataset),
        new("POST /api/v1/datasets/{dataset}/release", AccessRights.Release, AccessTarget.Dataset, s_steps),
        new("GET /api/v1/datasets/{dataset}/state", AccessRights.ReadReceipts, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/staleness", AccessRights.ReadReceipts, AccessTarget.Dataset),
        new("GET /api/v1/datasets/{dataset}/uses", AccessRights.ReadMetadata, AccessTarget.Dataset, s_seen),
        new("GET /api/v1/audit", AccessRights.ManageAgency, AccessTarget.Agency, s_audit),
        new("GET /api/v1/audit/head", AccessRights.ManageAgency, AccessTarget.Agency, s_audit),
        new("POST /api/v1/audit/deletions", AccessRights.Administer, AccessTarget.Platform),
        new("GET /api/v1/dataspaces", null, AccessTarget.Nothing),
        new("PUT /api/v1/dataspaces/{dataspace}", AccessRights.Grant, AccessTarget.Dataspace, s_own),
        new("GET /api/v1/dataspaces/{dataspace}", null, AccessTarget.Nothing, s_seen),
        new("GET /api/v1/dataspaces/{dataspace}/grants", AccessRights.Grant, AccessTarget.Dataspace),
        new("POST /api/v1/dataspaces/{dataspace}/grants", AccessRights.Grant, AccessTarget.Dataspace),
        new("POST /api/v1/dataspaces/{dataspace}/grants/{grant}/revocation", AccessRights.Grant, AccessTarget.Dataspace),
        new("GET /api/v1/files", null, AccessTarget.Nothing, s_seen),
        new("POST /api/v1/files", AccessRights.Push, AccessTarget.Job),
        new("GET /api/v1/files/{file}", AccessRights.ReadReceipts, AccessTarget.Job),
        new("PATCH /api/v1/files/{file}", AccessRights.Push, AccessTarget.Job),
        new("DELETE /api/v1/files/{file}", AccessRights.Push, AccessTarget.Job),
        new("GET /api/v1/indicators", null, AccessTarget.Nothing, s_seen),
        new("PUT /api/v1/indicators/{indicator}", AccessRights.EditDefinitions, AccessTarget.Indicator, s_opens),
        new("GET /api/v1/indicators/{indicator}", AccessRights.ReadMetadata, AccessTarget.Indicator),
        new("GET /api/v1/indicators/{indicator}/changes", AccessRights.ReadRows, AccessTarget.Indicator),
        new("GET /api/v1/indicators/{indicator}/csvw", AccessRights.ReadMetadata, AccessTarget.Indicator),
        new("GET /api/v1/indicators/{indicator}/definitions", AccessRights.ReadMetadata, AccessTarget.Indicator),
        new("GET /api/v1/indicators/{indicator}/diff", AccessRights.ReadRows, AccessTarget.Indicator),
        new("GET /api/v1/indicators/{indicator}/explain", AccessRights.ReadRows, AccessTarget.Indicator),
        new("GET /api/v1/indicators/{indicator}/latest", AccessRights.ReadRows, AccessTarget.Indicator),
        new("GET /api/v1/indicators/{indicator}/values", AccessRights.ReadRows, AccessTarget.Indicator),
        new("GET /api/v1/jobs", null, AccessTarget.Nothing, s_seen),
        new("PUT /api/v1/jobs/{job}", AccessRights.EditDefinitions, AccessTarget.Job, s_job),
        new("GET /api/v1/jobs/{job}", AccessRights.ReadReceipts, AccessTarget.Job),
        new("GET /api/v1/jobs/{job}/backfill", AccessRights.ReadReceipts, AccessTarget.Job),
        new("POST /api/v1/jobs/{job}/backfill", AccessRights.Push, AccessTarget.Job),
        new("POST /api/v1/jobs/{job}/backfill/acts", AccessRights.Push, AccessTarget.Job),
        new("GET /api/v1/jobs/{job}/diff", AccessRights.ReadReceipts, AccessTarget.Job),
        new("POST /api/v1/jobs/{job}/promotion", AccessRights.EditDefinitions, AccessTarget.Job, s_job),
        new("POST /api/v1/jobs/{job}/runs", AccessRights.Push, AccessTarget.Job),
        new("GET /api/v1/jobs/{job}/runs", AccessRights.ReadReceipts, AccessTarget.Job),
        new("POST /api/v1/jobs/{job}/shadow", AccessRights.EditDefinitions, AccessTarget.Job, s_job),
        new("GET /api/v1/jobs/{job}/triggers", AccessRights.ReadReceipts, AccessTarget.Job),
        new("POST /api/v1/lineage", AccessRights.Push, AccessTarget.Job),
        new("GET /api/v1/lineage/jobs/{namespace}/{name}/runs", AccessRights.ReadReceipts, AccessTarget.Job),
        new("GET /api/v1/me", null, AccessTarget.Nothing),
        new("GET /api/v1/receipts/{receipt}", AccessRights.ReadReceipts, AccessTarget.Dataset, s_receipt),
        new("GET /api/v1/receipts/{receipt}/errors", AccessRights.ReadReceipts, AccessTarget.Dataset, s_receipt),
        new("GET /api/v1/receipts/{receipt}/uses", AccessRights.ReadReceipts, AccessTarget.Dataset, s_receipt),
        new("GET /api/v1/runs/{run}", AccessRights.ReadReceipts, AccessTarget.Job),
        new("POST /api/v1/runs/{run}/acts", AccessRights.Push, AccessTarget.Job),
        new("GET /api/v1/runs/{run}/differences", AccessRights.ReadRows, AccessTarget.Job),
        new("GET /api/v1/runs/{run}/lineage", AccessRights.ReadReceipts, AccessTarget.Job),
        new("GET /api/v1/runs/{run}/steps/{step}/format", AccessRights.ReadReceipts, AccessTarget.Job),
        new("GET /api/v1/runs/{run}/steps/{step}/table", AccessRights.ReadRows, AccessTarget.Job),
        new("GET /api/v1/runs/{run}/steps/{step}/table/metadata", AccessRights.ReadReceipts, AccessTarget.Job),
        new("GET /api/v1/values", AccessRights.ReadRows, AccessTarget.Indicator),
    ];

    /// <summary>Forms of the pages, each with the operation that it stands for: who may do that may send it, signed in and from the hub's own pages.</summary>
    public static IReadOnlyList<AccessForm> Forms { get; } =
    [
        new("POST /agencies/{agency}/groups", "PUT /api/v1/agencies/{agency}/groups/{group}"),
        new("POST /agencies/{agency}/key-revocations", "DELETE /api/v1/agencies/{agency}/keys/{id}"),
        new("POST /agencies/{agency}/keys", "POST /api/v1/agencies/{agency}/keys"),
        new("POST /agencies/{agency}/members", "PUT /api/v1/agencies/{agency}/groups/{group}/members/{person}"),
        new("POST /agencies/{agency}/removals", "DELETE /api/v1/agencies/{agency}/groups/{group}/members/{person}"),
        new("POST /agencies/{agency}/rotations", "POST /api/v1/agencies/{agency}/keys/{id}/rotation"),
        new("POST /agreements", "PUT /api/v1/agreements/{agreement}"),
        new("POST /agreements/{agreement}/acts", "POST /api/v1/agreements/{agreement}/acts"),
        new("POST /agreements/{agreement}/terms", "PUT /api/v1/agreements/{agreement}"),
        new("POST /dataspaces", "PUT /api/v1/dataspaces/{dataspace}"),
        new("POST /dataspaces/{dataspace}/grants", "POST /api/v1/dataspaces/{dataspace}/grants"),
        new("POST /dataspaces/{dataspace}/revocations", "POST /api/v1/dataspaces/{dataspace}/grants/{grant}/revocation"),
        new("POST /dataspaces/{dataspace}/states", "POST /api/v1/datasets/{dataset}/release"),
        new("POST /jobs/{job}/runs", "POST /api/v1/jobs/{job}/runs"),
        new("POST /runs/{run}/acts", "POST /api/v1/runs/{run}/acts"),
    ];

    /// <summary>Routes beside the interface: pages, checks of health and descriptions, open to everybody.</summary>
    public static IReadOnlyList<string> Open { get; } = ["/", "/agencies", "/agreements", "/api", "/assets", "/audit", "/dataspaces", "/dashboards", "/health", "/indicators", "/jobs", "/map", "/metrics", "/openapi", "/problems", "/runs", "/signin"];
}
