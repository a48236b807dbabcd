namespace DataHub.Support;

/// <summary>
/// Bytes that earlier versions of the program wrote. They are never changed. With <c>DATAHUB_WRITE_GOLDEN=1</c> a test
/// run writes those that are missing into the sources; they are then committed with the version that wrote them.
/// </summary>
internal static class Golden
{
    public static byte[] Bytes(string area, string name, Func<byte[]> write)
    {
        var file = Path.Combine(AppContext.BaseDirectory, area, "Golden", name);
        if (File.Exists(file)) return File.ReadAllBytes(file);
        var bytes = write();
        if (Environment.GetEnvironmentVariable("DATAHUB_WRITE_GOLDEN") != "1")
        {
            throw new FileNotFoundException($"{file} is missing. A new format version needs golden files: run once with DATAHUB_WRITE_GOLDEN=1.");
        }

        var folder = Path.Combine(Root(), "tests", area, "Golden");
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, name), bytes);
        return bytes;
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "DataHub.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("No folder above the tests holds DataHub.sln.");
    }
}
