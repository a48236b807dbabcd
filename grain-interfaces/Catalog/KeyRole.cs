namespace DataHub.Catalog;

/// <summary>What an API key may do. Roles do not include one another except that <see cref="Admin"/> includes all.</summary>
public enum KeyRole
{
    None = 0,

    /// <summary>Read the agency's data that is not open.</summary>
    Read = 1,

    /// <summary>Push rows into the agency's feeds and read their receipts and quarantine.</summary>
    Push = 2,

    /// <summary>Everything within the agency; for the platform agency, everything.</summary>
    Admin = 3,
}
